/**
 * Makes a `role="tablist"` work: a click or the arrow keys select a tab, whose panel is shown.
 * @see WAI-ARIA Authoring Practices, "Tabs pattern"
 */
export function makeTabs(list: HTMLElement, onSelect: (tab: string) => void): void {
  const tabs = [...list.querySelectorAll<HTMLElement>('[role="tab"]')];
  const select = (chosen: HTMLElement): void => {
    for (const tab of tabs) {
      const isChosen = tab === chosen;
      tab.setAttribute('aria-selected', String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      document.querySelector<HTMLElement>(`#${tab.getAttribute('aria-controls')!}`)!.hidden = !isChosen;
    }
    onSelect(chosen.id);
  };
  for (const [i, tab] of tabs.entries()) {
    tab.addEventListener('click', () => select(tab));
    tab.addEventListener('keydown', ({ key }) => {
      const to = { ArrowLeft: i - 1, ArrowRight: i + 1, Home: 0, End: -1 }[key];
      if (to === undefined) return;
      const next = tabs.at(to % tabs.length)!;
      next.focus();
      select(next);
    });
  }
}
