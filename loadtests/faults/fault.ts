import { Redis } from 'ioredis';
import type { EngineName } from '../../engines/engines.ts';
import type { EngineSet } from './engine-set.ts';
import { FaultFailure } from './failure.ts';
import type { TcpProxy } from './proxy.ts';
import type { Replica } from './replica.ts';

/** What can be done to each engine: the rows of the matrix. */
export const MATRIX_KINDS = ['kill', 'pause', 'reset', 'black-hole', 'slow'] as const;
/** What can be done to Redis alone. */
export const REDIS_KINDS = ['flush', 'failover'] as const;
export const FAULT_KINDS = [...MATRIX_KINDS, ...REDIS_KINDS] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  kind: FaultKind;
  engine: EngineName;
  /** Seconds from the load's beginning. */
  at: number;
  /** Seconds. What happens in one moment, flush and failover, has no length. */
  lasts: number;
}

/** What a fault is done to. */
export interface Stage {
  engines: EngineSet;
  proxies: Record<EngineName, TcpProxy>;
  /** Takes over in a failover. */
  replica: Replica | undefined;
}

const SLOW_MS = 200;
const RESET_EVERY_MS = 1_000;

/** Begins a fault and returns what ends it. */
export async function begin({ engines, proxies, replica }: Stage, fault: Fault): Promise<() => Promise<void>> {
  const { engine } = fault;
  const proxy = proxies[engine];
  switch (fault.kind) {
    case 'kill':
      await engines.kill(engine);
      await proxy.refuse();
      return async () => {
        await engines.restart(engine);
        await proxy.pass();
      };
    case 'pause':
      await engines.pause(engine);
      return () => engines.resume(engine);
    case 'reset': {
      proxy.resetAll();
      const timer = setInterval(() => proxy.resetAll(), RESET_EVERY_MS);
      return async () => clearInterval(timer);
    }
    case 'black-hole':
      proxy.blackHole();
      return () => proxy.pass();
    case 'slow':
      proxy.delay(SLOW_MS);
      return () => proxy.pass();
    case 'flush':
      await flush(engines.redisUrl);
      return async () => {};
    case 'failover':
      if (!replica) throw new FaultFailure('a failover needs a replica');
      replica.cutOff();
      return async () => {
        await engines.kill('redis');
        await replica.promote();
        proxy.leadTo(replica.port);
        proxy.resetAll();
      };
  }
}

/** Redis forgets everything. */
export async function flush(url: string): Promise<void> {
  const redis = new Redis(url);
  await redis.flushall();
  redis.disconnect();
}

const DEEDS: Record<FaultKind, string> = {
  kill: 'killed',
  pause: 'paused',
  reset: 'connections reset every second',
  'black-hole': 'black-holed',
  slow: `slower by ${SLOW_MS} ms each way`,
  flush: 'emptied (FLUSHALL)',
  failover: 'its replica stops following',
};
const ENDS: Partial<Record<FaultKind, string>> = {
  kill: 'answers again',
  pause: 'goes on',
  failover: 'the replica has taken over',
};

export const beginning = ({ kind }: Fault): string => DEEDS[kind];
export const ending = ({ kind }: Fault): string => ENDS[kind] ?? 'as before';
