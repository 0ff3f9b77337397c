/** One run of the command: arguments in, exit code out. */
import { CommanderError } from 'commander'
import { type ExitCode, Out, type Streams, UsageError } from './out.ts'
import { createProgram } from './program.ts'

export async function run(args: readonly string[], streams: Streams): Promise<ExitCode> {
  let exitCode: ExitCode = 0
  // Before the arguments are understood, all that is known of --json is whether it stands there.
  const json = args.includes('--json')
  const program = createProgram(
    async (verb, options) => {
      const out = new Out(streams, options.json)
      try {
        exitCode = await verb(out)
      } catch (error) {
        out.error(error)
        exitCode = 2
      }
    },
    {
      writeOut: (text) => streams.stdout.write(text),
      writeErr: (text) => json || streams.stderr.write(text),
    },
  )
  try {
    await program.parseAsync([...args], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return 0
    if (json) new Out(streams, true).error(new UsageError('usage', plain(error)))
    return 2
  }
  return exitCode
}

/** Commander's text on one line, without its prefix. */
function plain({ code, message }: CommanderError): string {
  if (code === 'commander.help') return 'a verb is missing; see --help'
  return message.replace(/^error: /, '').replaceAll('\n', ' ')
}
