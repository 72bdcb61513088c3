/** Where the focus is: an element and its way up, each step with the place that it has in the one above. */
type Held = readonly { readonly parent: Element; readonly at: number }[]

const focusable =
  ':is(button, input, textarea, a[href], [tabindex="0"], [role=slider]):not(:disabled, [tabindex="-1"], [inert] *)'

/** What has its own ways: dialogs and lists give the focus back to what opened them. */
const others = '.popup, [role=dialog]'

function wayUp(element: Element): Held {
  const steps: { parent: Element; at: number }[] = []
  for (let child = element; child.parentElement; child = child.parentElement)
    steps.push({ parent: child.parentElement, at: [...child.parentElement.children].indexOf(child) })
  return steps
}

/** The control that stands where another was: in its place or after it, else before it, as near to it as there is. */
function nearest(held: Held): HTMLElement | undefined {
  for (const { parent, at } of held.filter((step) => step.parent.isConnected && step.parent !== document.body)) {
    const children = [...parent.children]
    for (const child of [...children.slice(at), ...children.slice(0, at).reverse()]) {
      const controls = [...(child.matches(focusable) ? [child] : []), ...child.querySelectorAll(focusable)]
      const seen = controls.find((control): control is HTMLElement => control instanceof HTMLElement && isSeen(control))
      if (seen) return seen
    }
  }
  return undefined
}

const isSeen = (element: HTMLElement): boolean => element.checkVisibility({ visibilityProperty: true })

/**
 * A control that goes while it has the focus, such as "Remove" of a row, leaves it to the one in its place; browsers
 * leave it to nobody, and the next Tab begins at the top of the page. @returns a function that ends this
 */
export function keepFocus(): () => void {
  let held: { readonly element: Element; readonly way: Held } | null = null
  const hold = ({ target }: FocusEvent): void => {
    held = target instanceof Element && !target.closest(others) ? { element: target, way: wayUp(target) } : null
  }
  const observer = new MutationObserver(() => {
    if (!held || held.element.isConnected || document.activeElement !== document.body) return
    const { way } = held
    held = null
    nearest(way)?.focus()
  })
  document.addEventListener('focusin', hold)
  observer.observe(document.body, { childList: true, subtree: true })
  return () => {
    document.removeEventListener('focusin', hold)
    observer.disconnect()
  }
}
