import { GIVEN_SECONDS, PROFILE, VUS_PERCENT } from './environment.ts';
import { inProfile, type Phase, withShare } from './profiles.ts';

/** A script's phases as this run's profile has time and users for them. */
export const phasesOf = (published: Phase[]): Phase[] =>
  withShare(VUS_PERCENT / 100, inProfile(PROFILE, published, GIVEN_SECONDS));
