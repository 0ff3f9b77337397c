import { join } from 'node:path'
import { defineConfig, type ViteUserConfig } from 'vitest/config'

const config: ViteUserConfig = defineConfig({
  // What stands in examples/ finds the package as an installed one would.
  resolve: {
    alias: {
      'assay/plugin': join(import.meta.dirname, 'core/contract.ts'),
      'assay/lambda/package': join(import.meta.dirname, 'adapters/compose-lambda-package.ts'),
    },
  },
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
