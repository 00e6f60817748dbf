/**
 * Upper edges in milliseconds: thresholds of slo.yaml, so that the share within them is counted and not estimated, and
 * others close enough together to tell a percentile from. What took longer than the last has its own bucket after it.
 */
export const BUCKET_EDGES = [
  1, 2, 3, 5, 7, 10, 15, 20, 25, 35, 50, 70, 97, 131, 200, 288, 500, 1_000, 2_500, 5_000, 10_000,
];

/** Name of the counter of this API's bucket. */
export const bucketOf = (api: string, index: number): string => `${api}_bucket_${index}`;

/** The bucket of a duration in milliseconds. */
export function bucketIndex(ms: number): number {
  const index = BUCKET_EDGES.findIndex((edge) => ms <= edge);
  return index === -1 ? BUCKET_EDGES.length : index;
}
