import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const tools = fileURLToPath(new URL('.slipway/tools/usr/bin', import.meta.url));

export default defineConfig({
  test: {
    reporters: process.env['SLIPWAY_TEST_REPORT'] === undefined ? ['default'] : ['default', 'json'],
    outputFile: { json: process.env['SLIPWAY_TEST_REPORT'] ?? '' },
    // Programs that scripts/setup-tests.mjs unpacked, and the system's own folders, which a plain user's PATH may lack.
    env: { PATH: `${tools}:${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
    // The pure parts run side by side; what talks to an engine shares one engine and two cores, a file at a time.
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.engine.test.ts'],
          testTimeout: 30_000,
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'engine',
          include: ['test/**/*.engine.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
