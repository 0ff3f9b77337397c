/**
 * Reads and carries out the steps that a page marks. A mark is an HTML comment on a line of its own:
 *
 * - `<!-- e2e: run NAME -->` before a fenced block: the block goes through `sh -eu` and must end with 0. `exit=N` wants N.
 * - `<!-- e2e: start NAME -->` before a fenced block: the block runs in the background until it says that it listens.
 * - `<!-- e2e: paste NAME FROM -->`, without a block: the request that the background step FROM printed, pasted through `sh`.
 *   The variable `ID` is then the X-Decision-Id of the answer.
 * - `<!-- e2e: stop NAME FROM -->`, without a block: Ctrl-C for the background step FROM.
 * - `<!-- e2e: program NAME -->` before a fenced block of TypeScript: runs as a file in the working folder and must end with 0.
 *
 * Blocks share one working folder and their variables, as if they were typed into one shell.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type Step =
  | { readonly kind: 'run'; readonly name: string; readonly script: string; readonly exit: number }
  | { readonly kind: 'program'; readonly name: string; readonly script: string }
  | { readonly kind: 'start'; readonly name: string; readonly script: string }
  | { readonly kind: 'paste'; readonly name: string; readonly from: string }
  | { readonly kind: 'stop'; readonly name: string; readonly from: string }

const MARK = /^<!-- e2e: (.*) -->$/

/** The marked steps of a page, in its order. @throws on a mark that says nothing known, so that no step is lost to a typing error */
export function readSteps(page: string): readonly Step[] {
  const lines = page.split('\n')
  const steps = lines.flatMap((line, i) => {
    const mark = line.match(MARK)?.[1]
    if (mark === undefined && line.includes('e2e:')) throw new Error(`not a mark: ${line}`)
    return mark === undefined ? [] : [readStep(mark, () => blockAfter(lines, i))]
  })
  const names = steps.map(({ name }) => name)
  if (new Set(names).size < names.length) throw new Error(`two steps of one name: ${names}`)
  return steps
}

function readStep(mark: string, block: () => string): Step {
  const [kind, name, last] = mark.split(' ')
  if (name === undefined) throw new Error(`a step without a name: ${mark}`)
  const exit = last?.match(/^exit=(\d+)$/)?.[1]
  if (kind === 'run' && (last === undefined || exit))
    return { kind, name, script: block(), exit: Number(exit ?? 0) }
  if ((kind === 'program' || kind === 'start') && last === undefined)
    return { kind, name, script: block() }
  if ((kind === 'paste' || kind === 'stop') && last !== undefined && !exit)
    return { kind, name, from: last }
  throw new Error(`not a mark: ${mark}`)
}

function blockAfter(lines: readonly string[], mark: number): string {
  if (!/^```(sh|ts)$/.test(lines[mark + 1] ?? '')) throw new Error(`no block after ${lines[mark]}`)
  const end = lines.indexOf('```', mark + 2)
  if (end < 0) throw new Error(`a block without an end after ${lines[mark]}`)
  return lines.slice(mark + 2, end).join('\n')
}

export interface Said {
  readonly code: number | null
  readonly output: string
}

/** One shell session in `folder`, as a reader would have it. */
export class Session {
  readonly #folder: string
  readonly #scratch: string
  readonly #background = new Map<string, { child: ChildProcess; ended: Promise<Said> }>()
  readonly #printed = new Map<string, string>()

  /** `scratch` is a folder outside `folder`, so that the session leaves nothing in the reader's. */
  constructor(folder: string, scratch: string) {
    this.#folder = folder
    this.#scratch = scratch
    writeFileSync(join(scratch, 'variables'), '')
  }

  /** @throws when the step does not end as it says */
  async carryOut(step: Step): Promise<Said> {
    if (step.kind === 'start') return await this.#start(step.name, step.script)
    if (step.kind === 'stop') return await this.#stop(step.from)
    const said = await this.#carryOut(step)
    const wanted = step.kind === 'run' ? step.exit : 0
    if (said.code !== wanted)
      throw new Error(`step ${step.name} ended with ${said.code}, not ${wanted}:\n${said.output}`)
    return said
  }

  async #carryOut(step: Exclude<Step, { kind: 'start' | 'stop' }>): Promise<Said> {
    if (step.kind === 'run') return await this.#run(step.script).ended
    if (step.kind === 'program') return await this.#program(step.name, step.script)
    const said = await this.#run(requestIn(this.#printed.get(step.from) ?? '')).ended
    const id = said.output.match(/^x-decision-id: ([0-9a-f]{32})/im)?.[1]
    if (id) appendFileSync(join(this.#scratch, 'variables'), `export ID='${id}'\n`)
    return said
  }

  /** The package is imported by its own name, from its sources. */
  async #program(name: string, text: string): Promise<Said> {
    const file = join(this.#folder, `readme-${name}.ts`)
    writeFileSync(file, text)
    const node = 'node_modules/node/bin/node --conditions=assay-source'
    try {
      return await this.#run(`${node} '${file}'`).ended
    } finally {
      rmSync(file)
    }
  }

  /** Variables that a block sets are there for the next. */
  #run(script: string): { child: ChildProcess; ended: Promise<Said>; output(): string } {
    const variables = join(this.#scratch, 'variables')
    const whole = `set -aeu\n. '${variables}'\n${script}\nexport -p > '${variables}'\n`
    const child = spawn('sh', ['-c', whole], {
      cwd: this.#folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    const take = (text: string): void => {
      output += text
    }
    child.stdout.setEncoding('utf8').on('data', take)
    child.stderr.setEncoding('utf8').on('data', take)
    const ended = new Promise<Said>((resolve) => {
      child.once('close', (code) => resolve({ code, output }))
    })
    return { child, ended, output: () => output }
  }

  async #start(name: string, script: string): Promise<Said> {
    const { child, ended, output } = this.#run(script)
    this.#background.set(name, { child, ended })
    const until = Date.now() + 120_000
    // What it prints for the reader comes right after the line that says it is ready.
    while (!/^assay listening on .*\n[\s\S]*^\s*curl /m.test(output())) {
      if (child.exitCode !== null || Date.now() > until)
        throw new Error(`step ${name} did not get ready:\n${output()}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
    this.#printed.set(name, output())
    return { code: null, output: output() }
  }

  async #stop(from: string): Promise<Said> {
    const background = this.#background.get(from)
    if (!background) throw new Error(`${from} was not started`)
    signalGroup(background.child, 'SIGINT')
    // npm and the shell end with the signal's number or by the signal; their output closes when the server is gone too.
    const said = await background.ended
    this.#background.delete(from)
    return said
  }

  /** Whatever still runs. */
  async close(): Promise<void> {
    for (const { child, ended } of this.#background.values()) {
      signalGroup(child, 'SIGKILL')
      await ended
    }
  }
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal)
  } catch {
    // It ended by itself.
  }
}

/** The printed request: from the line with `curl` up to the first line that is not continued. */
export function requestIn(printed: string): string {
  const lines = printed.split('\n')
  const first = lines.findIndex((line) => /^\s*curl /.test(line))
  if (first < 0) throw new Error(`no request to paste in:\n${printed}`)
  let end = first
  while (lines[end]?.endsWith('\\')) end++
  return lines.slice(first, end + 1).join('\n')
}
