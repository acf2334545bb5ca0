// Sends the form of response_mode=form_post by itself, but not to someone who came back to this page:
// the answer in it works once, and they want to go further back.
if (performance.getEntriesByType("navigation")[0]?.type !== "back_forward") {
  document.querySelector("form[data-send-now]").submit();
}
