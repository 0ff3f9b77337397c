/** What the Lambda runtime hands to a function beside its event. */

/** Of the context object, what is used here. @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html */
export interface LambdaContext {
  /** The same again when Lambda retries an asynchronous event. */
  readonly awsRequestId?: string
  /** Until Lambda kills the process. */
  getRemainingTimeInMillis?(): number
}

/** How long one invocation may take, and the two moments at which it stops trying. */
export interface Deadline {
  /** Aborts while there is still time to answer; what is committed by then stands. */
  readonly signal: AbortSignal
  /** Rejects a little later: whatever hangs, the platform gets an answer of ours. */
  readonly last: Promise<never>
  remainingMs(): number
  /** Stops the timers. */
  end(): void
}

/** Kept back of the remaining time, for what comes after a signal, and for the answer. */
const GIVE_UP_MS = 500
const ANSWER_MS = 150
/** Where nobody says how long there is: the most that Lambda gives. */
const LONGEST_MS = 900_000

export class Late extends Error {
  constructor() {
    super('the time of this invocation is over')
    this.name = 'Late'
  }
}

export function deadlineOf(context: LambdaContext): Deadline {
  const remainingMs = (): number => context.getRemainingTimeInMillis?.() ?? LONGEST_MS
  const controller = new AbortController()
  const left = remainingMs()
  // Of a short time both take a share, so that something is left to work in.
  const giveUp = setTimeout(
    () => controller.abort(new Late()),
    Math.max(left - GIVE_UP_MS, left / 2),
  )
  let answer: ReturnType<typeof setTimeout> | undefined
  const last = new Promise<never>((_, reject) => {
    answer = setTimeout(() => reject(new Late()), Math.max(left - ANSWER_MS, (left * 3) / 4))
  })
  // Nobody may be waiting for it any more.
  last.catch(() => undefined)
  return {
    signal: controller.signal,
    last,
    remainingMs,
    end() {
      clearTimeout(giveUp)
      clearTimeout(answer)
    },
  }
}
