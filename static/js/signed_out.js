// Goes on to the app as soon as the others have been told in their frames, and soon whatever they do.
const onward = document.querySelector("a[data-go-on]");
if (onward) {
  let gone = false;
  const go = () => {
    if (!gone) location.replace(onward.href);
    gone = true;
  };
  addEventListener("load", go);
  setTimeout(go, 2500);
}
