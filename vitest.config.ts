import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // The pure parts run side by side; what talks to an engine shares one engine and two cores, a file at a time.
    projects: [
      {
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/**/*.engine.test.ts'], testTimeout: 30_000 },
      },
      {
        test: {
          name: 'engine',
          include: ['test/**/*.engine.test.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
