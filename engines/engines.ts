/** The three engines everything else stands on, in the order they are printed. */
export const engineNames = ['mysql', 'redis', 'kafka'] as const;
export type EngineName = (typeof engineNames)[number];

/** Who runs an engine: this checkout's own processes, Docker Compose, or somebody else. */
export type Kind = 'native' | 'compose' | 'external';

/** Where an engine is: a URL, or for Kafka a comma separated list of brokers. */
export interface Place {
  kind: Kind;
  endpoint: string;
}
export type Places = Record<EngineName, Place>;

/** What a running engine says about itself, read from it and never assumed. */
export interface Reading {
  version: string;
  durability: Record<string, string>;
}

export interface Engines {
  kind: Kind | 'mixed';
  mysql: { kind: Kind; url: string } & Reading;
  redis: { kind: Kind; url: string } & Reading;
  kafka: { kind: Kind; brokers: string } & Reading;
  description: string;
}

export const labels: Record<EngineName, string> = { mysql: 'MySQL', redis: 'Redis', kafka: 'Kafka' };

/** The environment variable that names each engine's endpoint, for the user, for `up` and for the services. */
export const endpointVariables: Record<EngineName, string> = {
  mysql: 'DATABASE_URL',
  redis: 'REDIS_URL',
  kafka: 'KAFKA_BROKERS',
};

/** One value for each engine, made in their order. */
export function forEachEngine<T>(make: (name: EngineName) => T): Record<EngineName, T> {
  return { mysql: make('mysql'), redis: make('redis'), kafka: make('kafka') };
}

/** The settings as one line: `innodb_flush_log_at_trx_commit=1, log_bin=OFF`. */
export function durabilityLine(durability: Record<string, string>): string {
  return Object.entries(durability)
    .map(([setting, value]) => `${setting}=${value}`)
    .join(', ');
}
