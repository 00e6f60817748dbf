import type { Hello, Sample } from '../sample.ts';

export type ConnectionState = 'opening' | 'open' | 'lost';

export interface Heard {
  hello(hello: Hello): void;
  sample(sample: Sample): void;
  state(state: ConnectionState): void;
}

/** Without a word for so long the server is gone, even if the connection has not noticed. Milliseconds. */
const SILENCE = 6_000;
const AGAIN = 1_000;
const AGAIN_AT_MOST = 5_000;

/** Events that arrive together come in one task of the browser's, which would be too long a one. They stay in order. */
const inOwnTask = (work: () => void) => setTimeout(work);

/**
 * Listens to the server and connects again whenever it cannot be heard: an EventSource by itself gives up at the first
 * answer that is no stream, which is what a proxy says while a server restarts.
 */
export function listen(url: string, heard: Heard): void {
  let wait = AGAIN;
  const connect = () => {
    const source = new EventSource(url);
    let timer = setTimeout(lost, SILENCE);
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(lost, SILENCE);
    };
    function lost() {
      clearTimeout(timer);
      source.close();
      heard.state('lost');
      setTimeout(connect, wait);
      wait = Math.min(2 * wait, AGAIN_AT_MOST);
    }
    source.addEventListener('hello', ({ data }) => {
      alive();
      wait = AGAIN;
      heard.state('open');
      inOwnTask(() => heard.hello(JSON.parse(data) as Hello));
    });
    source.addEventListener('sample', ({ data }) => {
      alive();
      inOwnTask(() => heard.sample(JSON.parse(data) as Sample));
    });
    source.addEventListener('beat', alive);
    source.addEventListener('error', lost);
  };
  connect();
}
