import type { Target } from '../fuzz.ts'
import { CAP1 } from './cap1.ts'
import { DOORS } from './doors.ts'
import { LOG } from './log.ts'
import { MINISIGN } from './minisign.ts'
import { SERVER } from './server.ts'
import { TASK } from './task.ts'
import { TEXT } from './text.ts'
import { TOKENS } from './tokens.ts'
import { WIRE } from './wire.ts'

/** Every parser that sees what somebody else wrote. */
export const TARGETS: readonly Target[] = [
  ...TEXT,
  ...LOG,
  ...DOORS,
  ...TOKENS,
  ...CAP1,
  ...MINISIGN,
  ...WIRE,
  ...SERVER,
  ...TASK,
]
