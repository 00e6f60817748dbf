/**
 * How hard and how long a scenario runs. `published`: the stages and pauses of the published runs. `quick`: the same
 * shape and pauses in half a minute. `smoke`: the same in five seconds, to see that everything works. `saturate`: a
 * closed loop without pauses, to see how far it goes. `soak`: half as many users for an hour, to see that nothing grows.
 */
export const PROFILES = ['quick', 'published', 'smoke', 'saturate', 'soak'] as const;
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

/** The phases, shortened to what the profile has time for; smoke and soak to as many seconds as they are given. */
export function inProfile(profile: Profile, phases: Phase[], given = profile === 'soak' ? 3_600 : 5): Phase[] {
  if (profile === 'soak') return phases.map((phase) => halfFor(given, phase));
  const published = phases.reduce((sum, { stages }) => sum + length(stages), 0);
  const seconds = profile === 'smoke' ? given : profile === 'quick' ? QUICK_SECONDS : published;
  const factor = seconds / published;
  return phases.map((phase) => ({
    ...phase,
    stages: phase.stages.map(({ seconds, vus }) => ({ seconds: seconds * factor, vus })),
  }));
}

/** The same with a share of the virtual users, at least one where there was one. */
export const withShare = (share: number, phases: Phase[]): Phase[] =>
  phases.map(({ exec, startVus, stages }) => ({
    exec,
    startVus: Math.ceil(startVus * share),
    stages: stages.map(({ seconds, vus }) => ({ seconds, vus: Math.ceil(vus * share) })),
  }));

/** Half of the phase's most users, all the time but for a minute in which they come and one in which they go. */
function halfFor(seconds: number, { exec, startVus, stages }: Phase): Phase {
  const vus = Math.ceil(Math.max(...stages.map((stage) => stage.vus)) / 2);
  const ramp = Math.min(60, seconds / 10);
  return {
    exec,
    startVus,
    stages: [
      { seconds: ramp, vus },
      { seconds: seconds - 2 * ramp, vus },
      { seconds: ramp, vus: 0 },
    ],
  };
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
