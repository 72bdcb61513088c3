import { build } from 'vite'
import { root } from './process.mjs'
import { allParts, markBuilt, shippedParts, sourcesDigest } from './setup.mjs'

// `npm run build`: the page into dist/renderer, the processes into dist/node. Arguments select parts, also those that
// are not shipped.
process.chdir(root)
const started = performance.now()
const chosen = allParts.filter((part) => process.argv.includes(part))
const logLevel = 'warn'

const builders = {
  renderer: () => build({ configFile: 'vite.config.ts', logLevel }),
  node: async () => {
    await build({ configFile: 'vite.node.config.ts', logLevel })
    await build({ configFile: 'vite.node.config.ts', mode: 'preload', logLevel })
  },
  tools: () => build({ configFile: 'vite.node.config.ts', mode: 'tools', logLevel }),
  test: () => build({ configFile: 'vite.node.config.ts', mode: 'test', logLevel }),
}

const problems = []
for (const part of chosen.length > 0 ? chosen : shippedParts) {
  const digest = sourcesDigest(part)
  try {
    await builders[part]()
    markBuilt(part, digest)
  } catch (error) {
    problems.push(`${part}: ${error.message}`)
  }
}
if (problems.length > 0) {
  console.error(problems.join('\n'))
  process.exit(1)
}
console.log(`Built in ${((performance.now() - started) / 1000).toFixed(1)} s`)
