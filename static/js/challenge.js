// What an authenticator is to sign: asked for with the key of the form that will bring the answer. A page instead of it means that the
// person has to prove first to be who he is.
export async function asked(address, form, signal) {
  const sent = new URLSearchParams({ _xsrf: form.elements._xsrf.value });
  const answer = await fetch(address, { method: "POST", body: sent, signal });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}
