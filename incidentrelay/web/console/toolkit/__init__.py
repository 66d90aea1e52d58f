"""What every page needs: decorators of views, navigation, flashes, filters, errors.

The lowest package of the console: it imports no other. Apart from the menu, it depends on no
noun of the product.
"""
