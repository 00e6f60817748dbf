/** Something that the user can understand and act on, in one line. */
export class BenchFailure extends Error {
  override name = 'bench';
}
