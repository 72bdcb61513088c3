import { captureNode, modulePath } from './process.mjs'

/** Runs dependency-cruiser, and fails when a rule is broken or a folder was not read at all. */
export async function checkLayers() {
  const folders = ['app', 'main', 'renderer']
  const { code, stdout, output } = await captureNode([
    modulePath('dependency-cruiser/bin/dependency-cruise.mjs'),
    ...folders,
    '--config',
    '.dependency-cruiser.cjs',
    '--output-type',
    'json',
  ])
  const start = stdout.indexOf('{')
  if (start < 0) return { code: code || 1, output }
  const { modules, summary } = JSON.parse(stdout.slice(start))
  const problems = summary.violations.map(({ rule, from, to, cycle }) => {
    const route = cycle ? cycle.map((step) => step.name).join(' -> ') : to
    return `${rule.name}: ${from} -> ${route}`
  })
  for (const folder of folders) {
    const count = modules.filter(({ source }) => source.startsWith(`${folder}/`) && !source.endsWith('.mjs')).length
    if (count === 0) problems.push(`no file of ${folder}/ was read: the rules were not checked`)
  }
  return { code: problems.length > 0 ? 1 : 0, output: problems.join('\n') }
}
