// The widgets of a page, from the state that stands in it. html-manager does the same, and brings what notebooks'
// outputs need; here each model is made when it is asked for, and nothing that a page of the site lacks is loaded.

const assets = new URL(".", import.meta.url);

export class Models {
  constructor(state, load) {
    Object.assign(this, { state, load, made: new Map() });
  }

  get_model(id) {
    if (!this.made.has(id)) this.made.set(id, this.make(id));
    return this.made.get(id);
  }

  async make(id) {
    const { model_name: name, model_module: module, state } = this.state[id];
    const Model = (await this.load(module))[name];
    const own = module === "anywidget" ? { _esm: new URL("filmstrip.js", assets).href, _css: "" } : {};
    return new Model(await Model._deserialize_state({ ...state, ...own }, this), { widget_manager: this, model_id: id });
  }

  create_view(model, options = {}) {
    return (model.state_change = model.state_change.then(async () => {
      const View = (await this.load(model.get("_view_module")))[model.get("_view_name")];
      const view = new View({ model, options });
      view.listenTo(model, "destroy", view.remove);
      await view.render();
      return view;
    }));
  }

  async show(model, place) {
    const { luminoWidget } = await this.create_view(model);
    luminoWidget.constructor.attach(luminoWidget, place);
  }

  // what a view asks of its manager beside: nothing is sent, and no label holds markup
  callbacks() {
    return {};
  }

  inline_sanitize(words) {
    return new Option(words).innerHTML;
  }
}
