/**
 * Sees, from outside the server, whether a write was synced to disk between a request's arrival and its answer. A kill cannot show a
 * dropped fsync, because the page cache outlives the process; the system calls can. Traced with strace, or where tracing is refused with
 * a preloaded library that writes down the same three events.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { tracer } from '../tools.ts'

export interface Tracing {
  /** Goes in front of the server's command. */
  readonly under: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** The events so far, in order. Call it after the server has ended. */
  events(): readonly TraceEvent[]
}
export interface TraceEvent {
  readonly kind: 'read' | 'sync' | 'write'
  /** What was read or written, escaped, or the path that was synced. */
  readonly text: string
}

/** Long enough for a request or an answer with its headers. */
const TEXT_BYTES = 4096

export async function startTracing(folder: string): Promise<Tracing> {
  const file = join(folder, 'trace')
  if ((await tracer()) === 'preload') return preload(folder, file)
  const calls = 'read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,fsync,fdatasync'
  const under = ['strace', '-f', '-y', '-s', String(TEXT_BYTES), '-e', `trace=${calls}`, '-o', file]
  return { under, env: {}, events: () => straceEvents(readFileSync(file, 'utf8')) }
}

function preload(folder: string, file: string): Tracing {
  const library = join(folder, 'trace.so')
  const source = join(import.meta.dirname, 'trace.c')
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'])
  const env = { LD_PRELOAD: library, ASSAY_TRACE: file }
  return { under: [], env, events: () => preloadEvents(readFileSync(file, 'utf8')) }
}

/** `PID call(fd<path>, "text"...) = result`; a call that another thread interrupts ends in a `resumed` line of the same PID. */
export function straceEvents(trace: string): TraceEvent[] {
  const unfinished = new Map<string, string>()
  const events: TraceEvent[] = []
  for (const line of trace.split('\n')) {
    const [pid = '', ...rest] = line.trim().split(/\s+/)
    const started = rest.join(' ')
    if (started.endsWith('<unfinished ...>')) {
      unfinished.set(pid, started)
      continue
    }
    const resumed = started.match(/^<\.\.\. (\w+) resumed>(.*)$/)
    const call = resumed ? `${unfinished.get(pid) ?? ''}${resumed[2]}` : started
    const event = straceEvent(call)
    if (event) events.push(event)
  }
  return events
}

function straceEvent(call: string): TraceEvent | undefined {
  const [, name = '', path = ''] = call.match(/^(\w+)\(\d+<([^>]*)>/) ?? []
  if (/^f(data)?sync$/.test(name))
    return call.endsWith('= 0') ? { kind: 'sync', text: path } : undefined
  if (/^(read|recv)/.test(name)) return { kind: 'read', text: call }
  return /^(write|send)/.test(name) ? { kind: 'write', text: call } : undefined
}

function preloadEvents(trace: string): TraceEvent[] {
  return trace.split('\n').flatMap((line) => {
    const [, kind, text = ''] = line.match(/^(read|sync|write) (.*)$/) ?? []
    return kind === undefined ? [] : [{ kind: kind as TraceEvent['kind'], text }]
  })
}

export interface Exchange {
  /** Stands in the request and nowhere else. */
  readonly marker: string
  readonly decisionId: string
}

/** The exchanges between whose request and answer nothing of the database was synced. */
export function unsynced(
  events: readonly TraceEvent[],
  exchanges: readonly Exchange[],
): readonly string[] {
  return exchanges.flatMap(({ decisionId, marker }) => {
    const asked = events.findIndex(({ kind, text }) => kind === 'read' && text.includes(marker))
    const answered = events.findIndex(
      ({ kind, text }, i) => i > asked && kind === 'write' && isAnswer(text, decisionId),
    )
    if (asked < 0 || answered < 0) return [`${marker}: not in the trace`]
    const between = events.slice(asked, answered)
    const synced = between.some(({ kind, text }) => kind === 'sync' && text.includes('assay.db'))
    return synced ? [] : [`${marker}: answered before its commit was synced`]
  })
}

/** The decision id is written to the database too: an answer is what begins like one. */
const isAnswer = (text: string, id: string): boolean =>
  text.includes('HTTP/1.1 200') && text.includes(id)
