// Swagger UI on our page: what it shows, and how it signs people in.
const place = document.getElementById("swagger-ui");

// Its dark colours hang on a class.
const dark = matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", paint);
paint();

// It would offer a form for each grant that the server knows; the flows of the description are enough.
const isOurFlow = (definition) => !definition.some((scheme) => scheme.has("openIdConnectUrl"));
const fewer = (original) => (...given) => original(...given)?.filter(isOurFlow);
const fewerFlows = {
  statePlugins: {
    auth: { wrapSelectors: { definitionsToAuthorize: fewer, definitionsForRequirements: fewer } },
  },
};

const ui = SwaggerUIBundle({
  domNode: place,
  url: place.dataset.description,
  oauth2RedirectUrl: place.dataset.redirectUri,
  validatorUrl: null,
  plugins: [() => fewerFlows],
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  tagsSorter: "alpha",
});
ui.initOAuth({
  clientId: place.dataset.clientId,
  usePkceWithAuthorizationCodeGrant: true,
  // In a pop-up our pages keep the tie to the window that opened it.
  additionalQueryStringParams: { display: "popup" },
});
