"""What every page needs: decorators of views, navigation, flashes, filters, errors.

The lowest package of the console: it imports no other. It knows no noun of the product
beyond what the menu names.
"""
