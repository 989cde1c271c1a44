import { expect, test } from 'vitest';
import { Speed } from './speed.ts';

function run(speed: Speed, fromMs: number, toMs: number, from: number, bytesPerSecond: number): number {
  let bytes = from;
  for (let at = fromMs; at <= toMs; at += 250) {
    speed.look(at, bytes);
    bytes += bytesPerSecond / 4;
  }
  return bytes - bytesPerSecond / 4;
}

test('a steady speed is told as it is, and the time left follows', () => {
  const speed = new Speed();
  run(speed, 0, 10_000, 0, 1_000_000);
  expect(speed.bytesPerSecond()).toBeCloseTo(1_000_000, -1);
  expect(speed.msLeft(5_000_000)).toBeCloseTo(5_000, -1);
});

test('a new speed is nearly reached after ten seconds, and one hiccup moves the figure little', () => {
  const speed = new Speed();
  const sent = run(speed, 0, 20_000, 0, 1_000_000);
  speed.look(20_500, sent);
  expect(speed.bytesPerSecond()).toBeGreaterThan(900_000);
  run(speed, 20_500, 32_000, sent, 100_000);
  expect(speed.bytesPerSecond()).toBeLessThan(260_000);
});

test('nothing is told before two looks, nor while nothing moves; going back after a break is no negative speed', () => {
  const speed = new Speed();
  expect(speed.bytesPerSecond()).toBeNull();
  speed.look(0, 500);
  expect(speed.msLeft(1)).toBeNull();
  speed.look(1_000, 1_500);
  speed.look(2_000, 100);
  expect(speed.bytesPerSecond()).toBe(1_000);
  speed.reset();
  expect(speed.bytesPerSecond()).toBeNull();
});
