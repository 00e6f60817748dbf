import exec from 'k6/execution';
import { FIRST_USER, USERS } from './environment.ts';

export const randomUser = (among = USERS): string => `test-user-${FIRST_USER + Math.floor(Math.random() * among)}`;

/**
 * A user that no other iteration of this scenario has, until all had their turn. Numbers are taken in turn over all
 * virtual users and all runners of a distributed test.
 */
export const nextUser = (): string => `test-user-${FIRST_USER + (exec.scenario.iterationInTest % USERS)}`;
/** The same from the other end of the population, for scenarios that run beside others. */
export const nextUserFromTheEnd = (): string =>
  `test-user-${FIRST_USER + USERS - 1 - (exec.scenario.iterationInTest % USERS)}`;
