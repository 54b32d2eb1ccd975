import { defineConfig } from 'vitest/config'
import { plantedBugs } from './test/simulation/planted/plugin.js'

export default defineConfig({
  plugins: [plantedBugs()],
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two at a time: many tests start processes of their own.
    maxWorkers: 2,
  },
})
