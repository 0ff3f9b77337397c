/** The `assay` command. */
// A reader that has seen enough (`assay fsck | head`) is no failure of ours, and must not end a server.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
// Node's own exit code for what nobody caught is 1, and here that says "denied".
process.on('uncaughtException', (error) => {
  process.stderr.write(`assay: ${error instanceof Error ? error.stack : error}\n`)
  process.exit(2)
})
const { run } = await import('./run.ts')
const { stdout, stderr, env } = process
process.exitCode = await run(process.argv.slice(2), { stdout, stderr, env })

export {}
