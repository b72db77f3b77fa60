// Unpacks the page's scripts and runs them. They come from a blob, so that the page's policy need not allow any other
// script to stand in it; and from the element before this one, so that nothing in the notebook can pose as them.
(async () => {
  const packed = document.currentScript.previousElementSibling.textContent;
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.src = URL.createObjectURL(new Blob([await new Response(stream).text()], { type: "text/javascript" }));
  document.head.append(script);
})();
