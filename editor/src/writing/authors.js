// Who wrote what, in the colours of their cursors, while it is asked for.
import { StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView } from "@codemirror/view";

const setAuthors = StateEffect.define();

export const authors = StateField.define({
  create: () => Decoration.none,
  update(value, transaction) {
    const given = transaction.effects.find((effect) => effect.is(setAuthors));
    if (given) return drawn(given.value, transaction.newDoc.length);
    return transaction.docChanged ? value.map(transaction.changes) : value;
  },
  provide: (field) => EditorView.decorations.from(field),
});

// `list`: {from, to, person}, as document/authorship.js tells; nothing to show nobody.
export const showAuthors = (view, list) => view.dispatch({ effects: setAuthors.of(list) });

function drawn(list, length) {
  const known = list.filter(({ to, person }) => person && to <= length);
  return Decoration.set(known.map(({ from, to, person }) => Decoration.mark({ class: `wrote who-${person.colour}` }).range(from, to)));
}
