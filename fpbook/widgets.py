"""Controls for a live kernel: a lab lets the reader choose parameters and train again."""

import os

import ipywidgets
from IPython.display import display


def lab(run, **controls):
    """Show controls and a button that calls ``run`` with their values; while the book is built, one line says where to run it.

    Parameters
    ----------
    run : function
        Called with one keyword argument a control; it draws or prints. A ValueError it raises is shown as a message.
    controls : ipywidgets
        One for each argument of `run`.

    Notes
    -----
    Uses what ipywidgets 7.7.1 (Colab) and 8 share.
    """
    if os.environ.get("FPBOOK_BUILD") == "1":
        print("This lab trains again with your own choice. It needs a live kernel: open this page in Jupyter or Colab.")
        return
    button, output = ipywidgets.Button(description="Train"), ipywidgets.Output()

    def on_click(_):
        button.disabled = True
        output.clear_output()
        try:
            with output:
                values = {name: control.value for name, control in controls.items()}
                try:
                    run(**values)
                except ValueError as error:
                    print(f"Please choose again: {error}")
        finally:
            button.disabled = False

    button.on_click(on_click)
    display(ipywidgets.VBox([*controls.values(), button, output]))
