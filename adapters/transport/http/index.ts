export { createApp } from './app.ts'
export type { AppOptions, HttpOptions } from './options.ts'
export { type HttpServer, serveHttp } from './serve.ts'
