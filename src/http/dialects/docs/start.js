// Shows the document of this service, in the browser that it brings along. Nothing is asked of anybody else.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#browser",
  deepLinking: true,
  docExpansion: "none",
  validatorUrl: null,
});
