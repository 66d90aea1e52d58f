// Starts the API reference; the address of the description stands on the element.
import SwaggerUIBundle from "swagger-ui-dist/swagger-ui-bundle.js";

// Swagger UI's dark theme hangs on a class; it follows the system like the rest of the console.
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
  // The description may not be sent to a validator outside of the installation.
  validatorUrl: null,
});
