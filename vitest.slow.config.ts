import { defineConfig } from 'vitest/config';

// What takes minutes: real installs, big files, faults. One file at a time, since they measure and kill.
export default defineConfig({
  test: {
    include: ['tests/**/*.slow.test.ts'],
    globalSetup: ['tests/support/global-setup.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
