/**
 * How hard and how long a scenario runs. `published`: the stages and pauses of the published runs. `quick`: the same
 * shape and pauses in half a minute. `smoke`: the same in five seconds, to see that everything works. `saturate`: a
 * closed loop without pauses, to see how far it goes.
 */
export const PROFILES = ['quick', 'published', 'smoke', 'saturate'] as const;
export type Profile = (typeof PROFILES)[number];

export interface Stage {
  seconds: number;
  /** Virtual users at the stage's end; from the ones before it, the number changes evenly. */
  vus: number;
}

/** Stages of one function of the script; phases follow one another. */
export interface Phase {
  exec: string;
  startVus: number;
  stages: Stage[];
}

/** Long enough for an answer that was ambiguous to be asked for again until it is definite. */
export const GRACE = '20s';

const QUICK_SECONDS = 30;

export function profileNamed(name: string): Profile {
  if (!PROFILES.includes(name as Profile)) throw new Error(`PROFILE=${name}: expected one of ${PROFILES.join(', ')}`);
  return name as Profile;
}

const length = (stages: Stage[]) => stages.reduce((sum, { seconds }) => sum + seconds, 0);

/** The phases, shortened to what the profile has time for; smoke to as many seconds as it is given. */
export function inProfile(profile: Profile, phases: Phase[], smokeSeconds = 5): Phase[] {
  const published = phases.reduce((sum, { stages }) => sum + length(stages), 0);
  const seconds = profile === 'smoke' ? smokeSeconds : profile === 'quick' ? QUICK_SECONDS : published;
  const factor = seconds / published;
  return phases.map((phase) => ({
    ...phase,
    stages: phase.stages.map(({ seconds, vus }) => ({ seconds: seconds * factor, vus })),
  }));
}

/** Phases as k6 scenarios, one after the other. */
export function inSequence(phases: Phase[]) {
  let start = 0;
  return Object.fromEntries(
    phases.map(({ exec, startVus, stages }, index) => {
      const startTime = `${Math.round(start * 1000)}ms`;
      start += length(stages);
      const scenario = {
        executor: 'ramping-vus' as const,
        exec,
        startTime,
        startVUs: startVus,
        stages: stages.map(({ seconds, vus }) => ({ duration: `${Math.round(seconds * 1000)}ms`, target: vus })),
        gracefulRampDown: GRACE,
        gracefulStop: GRACE,
      };
      return [`${exec}_${index + 1}`, scenario];
    }),
  );
}

/** The rate that these pauses allow if an answer took no time at all: virtual users on average over the pause. */
export function rateOfPauses(phases: Phase[], pauseSeconds: number): number {
  let vuSeconds = 0;
  let seconds = 0;
  for (const { startVus, stages } of phases) {
    let before = startVus;
    for (const stage of stages) {
      vuSeconds += (stage.seconds * (before + stage.vus)) / 2;
      seconds += stage.seconds;
      before = stage.vus;
    }
  }
  return vuSeconds / seconds / pauseSeconds;
}
