/** Which blocks of the product's code ran since the last look, from V8 itself: what makes a mutated input worth keeping. */
import { type Profiler, Session } from 'node:inspector'

export class Coverage {
  readonly #session = new Session()
  readonly #known = new Set<string>()
  readonly #files: RegExp

  /** @param files matches URLs of the modules that count */
  constructor(files: RegExp) {
    this.#files = files
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** How many blocks ran that never had, or never so often (by powers of two). */
  fresh(): number {
    let fresh = 0
    this.#session.post('Profiler.takePreciseCoverage', (error, taken) => {
      if (error) throw error
      for (const script of taken.result)
        if (this.#files.test(script.url)) fresh += this.#add(script)
    })
    return fresh
  }

  get blocks(): number {
    return this.#known.size
  }

  #add({ functions, url }: Profiler.ScriptCoverage): number {
    const before = this.#known.size
    for (const { ranges } of functions)
      for (const { count, endOffset, startOffset } of ranges) {
        if (count === 0) continue
        const magnitude = Math.floor(Math.log2(count))
        this.#known.add(`${url}:${startOffset}:${endOffset}:${magnitude}`)
      }
    return this.#known.size - before
  }

  close(): void {
    this.#session.post('Profiler.stopPreciseCoverage')
    this.#session.disconnect()
  }
}
