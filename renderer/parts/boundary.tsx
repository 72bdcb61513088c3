import { TriangleAlert } from 'lucide-react'
import { Component, type ReactNode } from 'react'
import { Button } from '#renderer/ui/button.tsx'
import { Notice } from './notice.tsx'

type BoundaryProps = {
  /** What is missing while it stands here: "The stage". */
  what: string
  /** Another thing to show is another try. */
  about?: unknown
  children: ReactNode
}
type BoundaryState = { failed: string | null; about: unknown }

/** Where a part of the page cannot be drawn, this says so in its place, and the rest of the page goes on. */
export class Boundary extends Component<BoundaryProps, BoundaryState> {
  override state: BoundaryState = { failed: null, about: this.props.about }

  static getDerivedStateFromError(error: unknown): Pick<BoundaryState, 'failed'> {
    return { failed: error instanceof Error ? error.message : String(error) }
  }

  static getDerivedStateFromProps({ about }: BoundaryProps, state: BoundaryState): Partial<BoundaryState> | null {
    return about === state.about ? null : { failed: null, about }
  }

  override render(): ReactNode {
    const { failed } = this.state
    if (failed === null) return this.props.children
    return (
      <Notice
        icon={TriangleAlert}
        tone="problem"
        title={`${this.props.what} cannot be shown`}
        text={`${failed || 'The browser gave no reason.'} Your library, your jobs and what you typed are safe.`}
      >
        <Button onClick={() => this.setState({ failed: null })}>Try again</Button>
        <Button onClick={() => location.reload()}>Reload the page</Button>
      </Notice>
    )
  }
}
