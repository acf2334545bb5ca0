// Sends the form of response_mode=form_post by itself. It does so while the page still loads, so that browsers
// put the answer in this page's place: going back never sends the form, whose code works once, again.
document.querySelector("form[data-send-now]").submit();
