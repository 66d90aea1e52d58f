// Starts the API reference; the element has the URL of the OpenAPI description.
import SwaggerUIBundle from "swagger-ui-dist/swagger-ui-bundle.js";

// Swagger UI's dark theme needs a class. Follow the system, like the rest of the console.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

const element = document.getElementById("api-docs");

SwaggerUIBundle({
  domNode: element,
  url: element.dataset.specUrl,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  // Do not send the description to a validator outside the installation.
  validatorUrl: null,
});
