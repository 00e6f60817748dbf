type Child = Node | string;

/** Makes an element with a class and its children. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className = '',
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** The element of index.html with this id. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element ${id}`);
  return found;
}

/** Sets an element's text if it is another one: the page changes only where its figures do. */
export function say(to: HTMLElement, text: string): void {
  if (to.textContent !== text) to.textContent = text;
}
