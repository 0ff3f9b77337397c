/** Signed messages over UDP; docs/announce.md. */
export { AnnounceDoor, DEFAULT_LIMITS } from './door.ts'
export { type Allowance, type SourceLimits, SourceTable } from './sources.ts'
export { type DatagramOptions, type DatagramServer, serveDatagrams } from './udp.ts'
