/** Something that keeps a fault run from being made; its message is all that is shown. */
export class FaultFailure extends Error {
  override name = 'FaultFailure';
}
