import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isFinished } from '#app/contract/jobs.ts'
import { moments, namesIn, startFaultHost, type FaultHost, type Moment } from './test-fault-host.ts'
import { drawn, isLong, kills, report } from './test-long.ts'

let dataDir: string
let host: FaultHost
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'frameloom-faults-'))
  host = await startFaultHost(dataDir)
})
afterEach(async () => {
  await host.close()
  rmSync(dataDir, { recursive: true, force: true })
})

/** Waits until a process is gone, or only waits for its parent to notice. */
async function untilGone(pid: number): Promise<void> {
  const isGone = () =>
    new Promise<boolean>((resolve) =>
      execFile('ps', ['-o', 'stat=', '-p', String(pid)], (_, out) => resolve(/^Z|^$/.test(out.trim()))),
    )
  while (!(await isGone())) await new Promise((resolve) => setTimeout(resolve, 50))
}

/** What holds whatever was killed when: the clips that there were, one of the job if it is done, and work goes on. */
async function expectWhole(before: ReadonlySet<string>, job: string, where: string): Promise<void> {
  for (const id of before) expect(host.results(), where).toContain(id)
  // A job that waited runs after a restart; one that is done need not be listed then.
  const { page } = host
  await page.until(() => isFinished(page.jobs.get(job)?.status ?? 'done'))
  const isDone = (page.jobs.get(job)?.status ?? 'done') === 'done'
  const next = await page.untilJob(await host.generate('after the fault'), 'done', 'failed', 'interrupted')
  expect(next.status, where).toBe('done')
  await page.until(() => host.results().has(next.resultId!))
  const results = host.results()
  expect(results.size - before.size, where).toBe(isDone ? 2 : 1)
  const clips = namesIn(dataDir, 'clips').filter((name) => name.endsWith('.webp'))
  expect(clips.sort(), where).toEqual([...results].map((id) => `${id}.webp`).sort())
}

async function expectSound(): Promise<void> {
  await host.close()
  const db = new DatabaseSync(join(dataDir, 'library.sqlite'), { readOnly: true })
  expect(db.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
  db.close()
}

type Wait = (job: string) => Promise<void>

async function killEngine(wait: Wait, where: string): Promise<void> {
  const { pid } = await host.engineReady()
  const before = host.results()
  const job = await host.generate('a red circle')
  await wait(job)
  process.kill(pid!, 'SIGKILL')
  const { status, problem } = await host.page.untilJob(job, 'interrupted', 'done', 'failed')
  expect(status, where).not.toBe('failed')
  if (status === 'interrupted') expect(problem, where).toMatchObject({ code: 'engine-lost' })
  await host.engineReady(pid)
  // A third crash within five minutes would stop it, as it should.
  await host.page.client.restartEngine()
  await expectWhole(before, job, where)
}

async function killMain(wait: Wait, where: string): Promise<void> {
  const { pid } = await host.engineReady()
  const before = host.results()
  const job = await host.generate('a red circle')
  await wait(job)
  await host.kill()
  host = await startFaultHost(dataDir)
  await untilGone(pid!)
  for (const folder of ['clips', 'classifications', 'uploads'])
    expect(
      namesIn(dataDir, folder).filter((name) => name.endsWith('.part')),
      where,
    ).toEqual([])
  await expectWhole(before, job, where)
}

const at =
  (moment: Moment): Wait =>
  (job) =>
    host.reach(job, moment)

test('the engine is killed at the moments of a job', async () => {
  for (const moment of isLong ? moments : (['step', 'part'] as const)) await killEngine(at(moment), `engine, ${moment}`)
  await expectSound()
  if (isLong) report(`engine killed at each of ${moments.length} moments`)
})

test('main is killed at the moments of a job', async () => {
  for (const moment of isLong ? moments : (['step', 'done'] as const)) await killMain(at(moment), `main, ${moment}`)
  await expectSound()
  if (isLong) report(`main killed at each of ${moments.length} moments`)
})

if (!isLong) console.log('SKIPPED: kills at random moments are for `npm run faults`.')
test.runIf(isLong)('engine and main are killed at any moment', async () => {
  const first = performance.now()
  await host.page.untilJob(await host.generate('how long one takes'), 'done')
  const wholeMs = performance.now() - first
  const random = drawn('kills')
  const killed = { engine: 0, main: 0 }
  for (let n = 0; n < kills; n++) {
    const ms = Math.round(random() * wholeMs * 1.1)
    const wait = () => new Promise<void>((resolve) => setTimeout(resolve, ms))
    const victim = random() < 0.5 ? 'engine' : 'main'
    await (victim === 'engine' ? killEngine : killMain)(wait, `${victim}, ${ms} ms, kill ${n}`)
    killed[victim]++
    console.log(`${n + 1} of ${kills}: ${victim} at ${ms} ms`)
  }
  await expectSound()
  report(`killed at any moment of ${Math.round(wholeMs)} ms: engine ${killed.engine}, main ${killed.main}`)
})
