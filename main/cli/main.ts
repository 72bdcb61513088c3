import { limitProblem } from '#main/limits.ts'

// A reader that has seen enough, such as `head`, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

const problem = limitProblem()
if (problem) {
  process.stderr.write(`error: ${problem}\n`)
  process.exitCode = 1
} else {
  // After the check: reading it all is what few open files do not allow.
  const { createProgram, runProgram } = await import('./program.ts')
  await runProgram(createProgram(), process.argv.slice(2))
}
