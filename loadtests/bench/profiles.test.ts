import { inProfile, inSequence, rateOfPauses, withShare } from '../k6/lib/profiles.ts';

const phases = [
  { exec: 'first', startVus: 100, stages: [{ seconds: 60, vus: 100 }] },
  {
    exec: 'second',
    startVus: 0,
    stages: [
      { seconds: 30, vus: 150 },
      { seconds: 30, vus: 0 },
    ],
  },
];

test('the quick profile has the published shape and users in half a minute', () => {
  expect(inSequence(inProfile('quick', phases))).toMatchObject({
    first_1: { startTime: '0ms', startVUs: 100, stages: [{ duration: '15000ms', target: 100 }] },
    second_2: {
      startTime: '15000ms',
      stages: [
        { duration: '7500ms', target: 150 },
        { duration: '7500ms', target: 0 },
      ],
    },
  });
  expect(inProfile('published', phases)).toEqual(phases);
});

test('pauses bound the rate by the users there are on average, in every profile alike', () => {
  // 100 users for a minute, then 75 on average for another.
  expect(rateOfPauses(phases, 0.5)).toBeCloseTo(175);
  expect(rateOfPauses(inProfile('smoke', phases), 0.5)).toBeCloseTo(175);
});

test('the soak profile keeps half of the most users for an hour, or as long as it is told', () => {
  const [, second] = inProfile('soak', phases);
  expect(second?.stages).toEqual([
    { seconds: 60, vus: 75 },
    { seconds: 3_480, vus: 75 },
    { seconds: 60, vus: 0 },
  ]);
  expect(inProfile('soak', phases, 100)[0]?.stages.map(({ seconds }) => seconds)).toEqual([10, 80, 10]);
});

test('a share of the virtual users keeps the stages, and one where there was one', () => {
  const [first] = withShare(0.5, [
    {
      exec: 'f',
      startVus: 1,
      stages: [
        { seconds: 10, vus: 75 },
        { seconds: 5, vus: 0 },
      ],
    },
  ]);
  expect(first).toEqual({
    exec: 'f',
    startVus: 1,
    stages: [
      { seconds: 10, vus: 38 },
      { seconds: 5, vus: 0 },
    ],
  });
});
