/** Seconds. Every threshold of loadtests/slo.yaml is an edge here, so that the share within it is counted, not guessed. */
export const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.097, 0.131, 0.2, 0.288, 0.5, 1, 2.5, 5, 10];
