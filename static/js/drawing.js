// Parts of a drawing over a picture, in the picture's own pixels.
export const part = (name, attributes, within) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  within?.append(made);
  return made;
};

export const put = (element, attributes) => {
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
};

export const between = (least, value, most) => Math.min(most, Math.max(least, value));

// What an arrow key means, in steps of one, or of more with Shift; nothing for other keys.
export const stepOf = (event, large) => {
  const step = event.shiftKey ? large : 1;
  return { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
};

// Pixels of the picture that one of the screen stands for.
export const scaleOf = (svg) => svg.viewBox.baseVal.width / (svg.getBoundingClientRect().width || svg.viewBox.baseVal.width);

// What somebody hears of a place that is moved with the arrow keys; as a button it would not be given them by every screen reader.
export const placed = (words, x, y) => ({
  "aria-valuenow": Math.round(x), "aria-valuetext": words.replace("{x}", Math.round(x)).replace("{y}", Math.round(y)),
});
