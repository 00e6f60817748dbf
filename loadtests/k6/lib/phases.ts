import { GIVEN_SECONDS, PROFILE } from './environment.ts';
import { inProfile, type Phase } from './profiles.ts';

/** A script's phases as this run's profile has time for them. */
export const phasesOf = (published: Phase[]): Phase[] => inProfile(PROFILE, published, GIVEN_SECONDS);
