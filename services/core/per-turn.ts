/** Gathers what is given within one turn of the event loop and hands all of it over at the turn's end, in order. */
export function perTurn<T>(handOver: (all: T[]) => void): (one: T) => void {
  let given: T[] = [];
  return (one) => {
    if (given.length === 0)
      setImmediate(() => {
        const all = given;
        given = [];
        handOver(all);
      });
    given.push(one);
  };
}
