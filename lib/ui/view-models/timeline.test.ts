import { expect, test } from 'vitest';
import { stagesOf } from './timeline.ts';

const event = (id: number, state: string, second: number) => ({
  id,
  state,
  message: '',
  at: new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString(),
});

test('a stage lasts until the next one begins, and the last one still lasts', () => {
  const stages = stagesOf([event(1, 'pending', 0), event(2, 'pulling', 1), event(3, 'ready', 4)]);
  expect(stages.map((s) => [s.state, s.durationMs])).toEqual([
    ['pending', 1000],
    ['pulling', 3000],
    ['ready', null],
  ]);
});

test('only the present life is shown: what came before the last queueing is history', () => {
  const stages = stagesOf([
    event(1, 'pending', 0),
    event(2, 'ready', 1),
    event(3, 'stopped', 2),
    event(4, 'pending', 9),
    event(5, 'starting', 10),
  ]);
  expect(stages.map((s) => s.id)).toEqual([4, 5]);
});

test('repeated and unknown states make no stage of their own', () => {
  const stages = stagesOf([
    event(1, 'pending', 0),
    event(2, 'pending', 3),
    event(3, 'dancing', 4),
    event(4, 'failed', 5),
  ]);
  expect(stages.map((s) => [s.state, s.durationMs])).toEqual([
    ['pending', 5000],
    ['failed', null],
  ]);
});
