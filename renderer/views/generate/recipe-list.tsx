import type { Fact } from './recipe-facts.ts'

export const RecipeList = ({ facts }: { facts: readonly Fact[] }) => (
  <dl className="recipe">
    {facts.map(([name, value], at) => (
      <div key={at} style={{ display: 'contents' }}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
)
