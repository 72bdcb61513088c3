import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))

/** A file of an installed package, from the project's root. */
export const modulePath = (file) => path.join(root, 'node_modules', file)

const children = new Set()
const signals = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 }
const stopAll = () => children.forEach((child) => child.kill('SIGTERM'))
const onSignal = (signal) => process.exit(128 + signals[signal])

/** Ends `child` when this process exits or is told to end. */
export function tie(child) {
  if (children.size === 0) {
    process.on('exit', stopAll)
    for (const signal of Object.keys(signals)) process.on(signal, onSignal)
  }
  children.add(child)
  const release = () => {
    children.delete(child)
    if (children.size > 0) return
    process.off('exit', stopAll)
    for (const signal of Object.keys(signals)) process.off(signal, onSignal)
  }
  child.once('exit', release)
  child.once('error', release)
}

/**
 * Runs a command in the project's folder and keeps what it printed. Never rejects.
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: Record<string, string>, live?: (text: string) => void }} [options] `live` is given the output as it
 * comes
 * @returns {Promise<{ code: number, stdout: string, output: string }>}
 */
export function capture(command, args, { env = {}, live } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    })
    tie(child)
    let stdout = ''
    let output = ''
    const take = (text, fromStdout) => {
      if (fromStdout) stdout += text
      output += text
      live?.(text)
    }
    child.stdout.setEncoding('utf8').on('data', (text) => take(text, true))
    child.stderr.setEncoding('utf8').on('data', (text) => take(text, false))
    child.on('error', (error) => take(`${command}: ${error.message}\n`, false))
    child.on('close', (code) => {
      resolve({ code: code ?? 1, stdout, output })
    })
  })
}

/** As `capture`, for a script run by this Node. */
export const captureNode = (args, options) => capture(process.execPath, args, options)

/** Runs npm, found without a shell: the one that runs this script, else the one beside Node. */
export function captureNpm(args, options) {
  const candidates = [
    /npm-cli\.c?js$/.test(process.env.npm_execpath ?? '') ? process.env.npm_execpath : undefined,
    path.join(path.dirname(process.execPath), 'node_modules/npm/bin/npm-cli.js'),
    path.join(path.dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js'),
  ]
  const cli = candidates.find((file) => file && existsSync(file))
  return cli ? captureNode([cli, ...args], options) : capture('npm', args, options)
}

/** Ends this process, with what to do in words. */
export function fail(message) {
  process.stderr.write(`frameloom: ${message}\n`)
  process.exit(1)
}
