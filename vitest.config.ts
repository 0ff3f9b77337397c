import { join } from 'node:path'
import { defineConfig, type ViteUserConfig } from 'vitest/config'

const config: ViteUserConfig = defineConfig({
  // A plugin in examples/ finds its peer as an installed one would.
  resolve: { alias: { 'assay/plugin': join(import.meta.dirname, 'core/contract.ts') } },
  test: {
    include: ['{core,formats,adapters,plugins,cli,node-agent,test}/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'dist/**'],
    globalSetup: ['test/backends/global.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
})

export default config
